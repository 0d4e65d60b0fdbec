import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import WebSocket from 'ws'

/** A page in Debian's Chromium, without a window. */
export interface BrowserPage {
  /** Errors in its console, exceptions, and what a Content-Security-Policy refused. */
  readonly complaints: readonly string[]
  /** Opens a URL, and settles when it is loaded. */
  open(url: string): Promise<void>
  /** What an expression gives in the page; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>
  /** Chooses files in the input that an expression gives. */
  chooseFiles(expression: string, files: readonly string[]): Promise<void>
  /** Types into what has the focus, key by key. */
  type(text: string): Promise<void>
  /** Pretends that the person prefers a scheme, and that the window is as large. */
  prefer(scheme: 'light' | 'dark', width?: number, height?: number): Promise<void>
  screenshot(): Promise<Buffer>
  close(): Promise<void>
}

/** What the protocol carries differs by method. */
type Values = ReturnType<typeof JSON.parse>

/** Starts a browser with one empty page (Chrome DevTools Protocol). @param more command-line arguments */
export async function openBrowser(...more: readonly string[]): Promise<BrowserPage> {
  const profile = await mkdtemp(join(tmpdir(), 'browser-'))
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
  args.push('--remote-debugging-port=0', `--user-data-dir=${profile}`, '--hide-scrollbars', ...more)
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  const browser = spawn('chromium', args, { stdio: [...stdio], detached: true })
  const gone = once(browser, 'exit')
  const close = async (): Promise<void> => {
    // Its helpers are a group of their own.
    if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL')
    await gone
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  }
  const protocol = await connect(await protocolUrl(browser))
  return page(protocol, await firstTab(protocol), close)
}

async function protocolUrl({ stderr }: ChildProcess): Promise<string> {
  if (!stderr) throw new Error('the browser was started without a pipe')
  for await (const line of createInterface({ input: stderr })) {
    const [, url] = /DevTools listening on (\S+)/.exec(line) ?? []
    if (url !== undefined) {
      stderr.resume()
      return url
    }
  }
  throw new Error('the browser ended before it listened')
}

interface Protocol {
  call(method: string, params?: object, sessionId?: string): Promise<Values>
  on(listener: (method: string, params: Values) => void): void
}

async function connect(url: string): Promise<Protocol> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, (message: Values) => void>()
  const listeners: ((method: string, params: Values) => void)[] = []
  let calls = 0
  socket.on('message', (data) => {
    const message = JSON.parse(String(data))
    waiting.get(message.id)?.(message)
    waiting.delete(message.id)
    if (message.method) for (const listener of listeners) listener(message.method, message.params)
  })
  return {
    on: (listener) => listeners.push(listener),
    call: (method, params = {}, sessionId) => {
      calls += 1
      const id = calls
      socket.send(JSON.stringify({ id, method, params, sessionId }))
      return new Promise((resolve, reject) => {
        waiting.set(id, ({ result, error }) => {
          if (error) reject(new Error(`${method}: ${error.message}`))
          else resolve(result)
        })
      })
    },
  }
}

async function firstTab({ call }: Protocol): Promise<string> {
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
  for (const domain of ['Page', 'Runtime', 'Log']) await call(`${domain}.enable`, {}, sessionId)
  return sessionId
}

function complaintIn(method: string, params: Values): string | undefined {
  const { type, args = [], entry, exceptionDetails } = params
  if (method === 'Log.entryAdded' && entry.level === 'error') return `${entry.text} ${entry.url}`
  if (method === 'Runtime.exceptionThrown') return JSON.stringify(exceptionDetails)
  const isError = method === 'Runtime.consoleAPICalled' && type === 'error'
  return isError ? args.map((one: Values) => one.value ?? one.description).join(' ') : undefined
}

function page(protocol: Protocol, session: string, close: () => Promise<void>): BrowserPage {
  const call = (method: string, params?: object) => protocol.call(method, params, session)
  const complaints: string[] = []
  let loaded = () => {}
  protocol.on((method, params) => {
    if (method === 'Page.loadEventFired') loaded()
    const complaint = complaintIn(method, params)
    if (complaint !== undefined) complaints.push(complaint)
  })
  return {
    complaints,
    close,
    async open(url) {
      const done = new Promise<void>((resolve) => {
        loaded = resolve
      })
      const { loaderId } = await call('Page.navigate', { url })
      // Nothing is loaded where only the fragment differs.
      if (loaderId) await done
    },
    async evaluate(expression) {
      const { result, exceptionDetails } = await call('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      })
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails))
      return result.value
    },
    async chooseFiles(expression, files) {
      const { result } = await call('Runtime.evaluate', { expression })
      await call('DOM.setFileInputFiles', { files, objectId: result.objectId })
    },
    async type(text) {
      for (const key of text) await call('Input.dispatchKeyEvent', { type: 'char', text: key })
    },
    async prefer(scheme, width = 1280, height = 900) {
      const features = [{ name: 'prefers-color-scheme', value: scheme }]
      await call('Emulation.setEmulatedMedia', { features })
      const size = { width, height, deviceScaleFactor: 1, mobile: false }
      await call('Emulation.setDeviceMetricsOverride', size)
    },
    async screenshot() {
      const { data } = await call('Page.captureScreenshot', { format: 'png' })
      return Buffer.from(data, 'base64')
    },
  }
}
