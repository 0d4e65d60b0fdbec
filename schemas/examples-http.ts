import { type Example, examples } from './examples.ts'
import type { TopicName } from './topics.ts'

/** What stands for the `{…}` of a path in examples. */
export const pathExamples: Readonly<Record<string, string>> = { service: 'door' }

/** Bodies that say the same as a message. */
function of(topic: TopicName, ...names: readonly string[]): readonly Example[] {
  const all = examples[topic]
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
}

const bodies: Readonly<Record<string, readonly Example[]>> = {
  'PUT /input': [
    ...of('input/set', 'oneInput', 'oneInputWithOptions'),
    {
      name: 'several',
      payload: { gate: 'mqtt:cam/gate', yard: { url: 'synthetic:?live=1', fps: 2 } },
    },
  ],
  'PATCH /input': of('input/set', 'mergePatch'),
  'PUT /output': [
    {
      name: 'several',
      payload: { events: 'mqtt:', video: 'rtsp:', archive: 'file:seen/{input}.jsonl' },
    },
  ],
  'PATCH /output': of('output/set'),
  'PUT /model': of('model/set'),
  'PATCH /model': of('model/set', 'options'),
  'PUT /compute': of('compute'),
  'POST /services': of('$cmd/service/add'),
  'PUT /services/{service}': [
    { name: 'service', payload: { input: { gate: 'mqtt:cam/gate' }, compute: 'start' } },
  ],
  'PATCH /services/{service}': [
    { name: 'options', payload: { model: { options: { minScore: 0.6 } } } },
  ],
  'POST /models': of('$cmd/models/pull'),
}

/** Bodies that a route takes. @param name as `PUT /input`; a named service takes what the default one does */
export function bodyExamples(name: string): readonly Example[] {
  return bodies[name] ?? bodies[name.replace(' /services/{service}/', ' /')] ?? []
}
