import type { TopicName } from './topics.ts'

/** One message as it may be seen on a topic. */
export interface Example {
  readonly name: string
  readonly payload: unknown
}

const at = 1790000000147

/**
 * At least one message for every topic, valid under the topic's schema. Those to the agent can be carried out by
 * any agent that has a service `door`.
 */
export const examples: Readonly<Record<TopicName, readonly Example[]>> = {
  'input/set': [
    { name: 'oneInput', payload: 'synthetic:?width=640&height=360&fps=5' },
    {
      name: 'oneInputWithOptions',
      payload: { url: 'synthetic:?frames=50', loop: true, fps: 2 },
    },
    {
      name: 'mergePatch',
      payload: { gate: 'mqtt:cam/gate', yard: { url: 'synthetic:?live=1', fps: 2 }, default: null },
    },
  ],
  'output/set': [
    { name: 'add', payload: { archive: { url: 'file:seen/{input}.jsonl', labels: ['dog'] } } },
    { name: 'remove', payload: { archive: null } },
  ],
  'model/set': [
    { name: 'model', payload: 'ssdlite-mobilenet-v2-coco' },
    { name: 'options', payload: { options: { minScore: 0.6 } } },
  ],
  compute: [
    { name: 'start', payload: { action: 'start' } },
    { name: 'startInOneWord', payload: 'start' },
    {
      name: 'once',
      payload: { action: 'once', input: 'synthetic:?frames=1', tag: 'part-4711' },
    },
    { name: 'stop', payload: { action: 'stop' } },
  ],
  input: [
    {
      name: 'live',
      payload: {
        gate: {
          url: 'http://user:***@camera.local/still.jpg',
          state: 'live',
          since: at,
          width: 1280,
          height: 720,
          run: 'k3f9',
        },
      },
    },
  ],
  output: [
    {
      name: 'open',
      payload: { events: { url: 'mqtt:', state: 'open', since: at, written: 812, dropped: 0 } },
    },
  ],
  model: [
    {
      name: 'ready',
      payload: {
        id: 'ssdlite-mobilenet-v2-coco',
        state: 'ready',
        device: 'auto',
        options: { minScore: 0.5 },
        task: 'detection',
        provider: 'cpu',
        input: { width: 300, height: 300, dtype: 'float32', layout: 'nhwc' },
      },
    },
  ],
  state: [{ name: 'running', payload: { state: 'running', since: at } }],
  detections: [
    {
      name: 'dog',
      payload: {
        v: 1,
        kind: 'detections',
        input: 'gate',
        model: 'ssdlite-mobilenet-v2-coco',
        run: 'k3f9',
        seq: 812,
        capturedAt: 1790000000123,
        publishedAt: at,
        pts: 27.066,
        width: 1280,
        height: 720,
        tag: 'part-4711',
        items: [{ label: 'dog', classId: 17, score: 0.964, box: [411, 96, 310, 402] }],
        ms: { decode: 2.1, queue: 0.4, preprocess: 1.3, infer: 17.9, postprocess: 0.3 },
      },
    },
  ],
  event: [
    {
      name: 'ended',
      payload: { v: 1, type: 'ended', input: 'clip', run: 'k3f9', frames: 368, failed: 0, at },
    },
    {
      name: 'newTrack',
      payload: {
        v: 1,
        type: 'new',
        input: 'gate',
        run: 'k3f9',
        track: 5,
        label: 'dog',
        classId: 17,
        firstAt: at,
        lastAt: at,
        frames: 2,
        box: [411, 96, 310, 402],
        bestScore: 0.964,
        bestBox: [411, 96, 310, 402],
        at,
      },
    },
  ],
  stream: [
    {
      name: 'watched',
      payload: {
        url: 'rtsp://127.0.0.1:8554/door/video/gate',
        protocol: 'rtsp',
        codec: 'h264',
        width: 1280,
        height: 720,
        fps: 30,
        viewers: 1,
      },
    },
  ],
  preview: [{ name: 'picture', payload: '(the bytes of a JPEG)' }],
  stats: [
    {
      name: 'oneInput',
      payload: {
        v: 1,
        at,
        inputs: {
          gate: {
            in: 30,
            inferred: 30,
            dropped: 0,
            failed: 0,
            alive: 1,
            total: 812,
            ms: { infer: { p50: 17.9, p95: 21.4, p99: 24.0 } },
          },
        },
        undelivered: 0,
      },
    },
  ],
  error: [
    {
      name: 'refused',
      payload: {
        v: 1,
        code: 'MESSAGE_INVALID',
        message: '/fps must be > 0',
        retryable: false,
        topic: 'edge/1/porch/door/input/set',
        at,
      },
    },
  ],
  $state: [{ name: 'ready', payload: { state: 'ready', boot: '5f3a9c', at } }],
  $info: [
    {
      name: 'info',
      payload: {
        version: '0.1.0',
        contract: 1,
        agent: 'porch',
        hardware: {
          host: 'porch',
          platform: 'linux',
          arch: 'x64',
          cpu: 'Intel(R) N100',
          cores: 4,
          memoryBytes: 8_589_934_592,
        },
        node: 'v20.20.2',
        providers: ['cpu'],
        services: ['door'],
        addresses: { mqtt: 'mqtt://127.0.0.1:1883', ws: 'ws://127.0.0.1:8080/mqtt' },
        schema: '9f86d081884c7d65',
      },
    },
  ],
  $metrics: [
    {
      name: 'noGpu',
      payload: {
        v: 1,
        at,
        uptimeS: 86_400,
        cpu: { load: 0.31 },
        memory: { totalBytes: 8_589_934_592, usedBytes: 2_147_483_648, agentBytes: 230_000_000 },
        disk: { path: '/var/lib/heliograph', totalBytes: 64e9, freeBytes: 41e9 },
        network: { rxBytesPerS: 512_000, txBytesPerS: 9_000 },
        temperature: { unavailable: 'no sensor found' },
        gpu: { unavailable: 'no GPU found' },
        services: { door: { pid: 4711, cpu: 0.8, memoryBytes: 140_000_000, restarts: 0, fps: 30 } },
      },
    },
  ],
  $alert: [
    {
      name: 'crashed',
      payload: {
        severity: 'error',
        code: 'SERVICE_CRASHED',
        since: at,
        detail: 'service door: ended by SIGSEGV; restarting',
      },
    },
  ],
  $log: [
    {
      name: 'line',
      payload: { level: 'info', at, message: 'service started', fields: { pid: 4711 } },
    },
  ],
  $error: [
    {
      name: 'unknownService',
      payload: {
        v: 1,
        code: 'NOT_FOUND',
        message: "no service 'dor' (there are: door)",
        topic: 'edge/1/porch/dor/compute',
        at,
      },
    },
  ],
  '$cmd/ping': [{ name: 'ping', payload: {} }],
  '$cmd/service/add': [
    {
      name: 'add',
      payload: {
        service: 'door',
        model: 'ssdlite-mobilenet-v2-coco',
        input: { gate: 'mqtt:cam/gate' },
        compute: 'start',
      },
    },
  ],
  '$cmd/service/remove': [{ name: 'remove', payload: { service: 'door' } }],
  '$cmd/models/list': [{ name: 'list', payload: {} }],
  '$cmd/models/pull': [{ name: 'pull', payload: { model: 'ssdlite-mobilenet-v2-coco' } }],
  $reply: [
    {
      name: 'ok',
      payload: { v: 1, id: '7c1e', agent: 'porch', status: 'ok', data: { state: 'running' } },
    },
    {
      name: 'error',
      payload: {
        v: 1,
        id: '7c1e',
        agent: 'porch',
        status: 'error',
        code: 'NOT_FOUND',
        message: "no service 'dor' (there are: door)",
        retryable: false,
      },
    },
  ],
}
