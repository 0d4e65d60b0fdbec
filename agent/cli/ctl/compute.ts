import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Result } from '../../../schemas/results.ts'
import type { AgentClient, Inference, Upload } from '../../client/agent-client.ts'
import { AgentError } from '../../core/errors.ts'
import { drawnName } from '../drawn-name.ts'
import { lineOutput } from '../line-output.ts'
import type { ClientFlags } from './flags.ts'
import { type Session, whomOf, withClient } from './session.ts'
import { computeText, resultsText } from './tables.ts'
import { uploadsOf } from './uploads.ts'

const actions = ['start', 'stop', 'once'] as const
type Action = (typeof actions)[number]

/** The flags of `ctl compute`. */
export interface ComputeFlags extends ClientFlags {
  readonly input?: string
  readonly tag?: string
  readonly draw?: string
  readonly ifMatch?: string
}

/** Starts, stops, infers once, or sends files to be inferred. @returns the exit code */
export async function compute(args: readonly string[], flags: ComputeFlags): Promise<number> {
  const action = actionOf(args, flags)
  return action ? order(action, flags) : infer(args, flags)
}

function actionOf(args: readonly string[], flags: ComputeFlags): Action | undefined {
  const [first, ...others] = args
  const action = first === undefined ? 'start' : actions.find((one) => one === first)
  if (action && others.length > 0) throw wrong(`'${action}' stands alone; a file is ./${action}`)
  if (action && flags.draw !== undefined) throw wrong('--draw needs a picture to send')
  if (!action && flags.input !== undefined) throw wrong('--input and files exclude each other')
  if (!action && flags.ifMatch !== undefined) throw wrong('--if-match is for start and stop')
  const isOnce = action === 'once'
  if (action && !isOnce && (flags.input ?? flags.tag) !== undefined) {
    throw wrong(`--input and --tag are for 'once', not for '${action}'`)
  }
  return action
}

function order(action: Action, flags: ComputeFlags): Promise<number> {
  const { input, tag, ifMatch } = flags
  return withClient(flags, async ({ client, print }) => {
    const computed = await client.compute(
      {
        action,
        ...(input === undefined ? {} : { input }),
        ...(tag === undefined ? {} : { tag }),
      },
      { ...whomOf(flags), ...(ifMatch === undefined ? {} : { ifMatch }) },
    )
    if (!computed.results) print(computed.view, computeText)
    else printResults(computed.results, flags)
  })
}

async function infer(files: readonly string[], flags: ComputeFlags): Promise<number> {
  const { draw, tag } = flags
  const uploads = await uploadsOf(files)
  if (draw !== undefined) checkDraw(draw, files)
  const how = { ...whomOf(flags), ...(tag === undefined ? {} : { tag }) }
  return withClient(flags, async (session) => {
    await printInferred(session, uploads, how, flags)
    if (draw !== undefined) await saveDrawn(session.client, uploads, how, draw)
  })
}

/** JSON goes out line by line, as results come and while somebody reads; a table waits for the last. */
async function printInferred(
  { client }: Session,
  uploads: readonly Upload[],
  how: Inference,
  flags: ClientFlags,
): Promise<void> {
  const results: Result[] = []
  const out = lineOutput(process.stdout)
  for await (const result of client.infer(uploads, how)) {
    if (out.closed.aborted) return
    if (flags.json) await out.write(JSON.stringify(result))
    else results.push(uploads.length > 1 ? result : named(result, uploads[0]?.name))
  }
  if (!flags.json) printResults(results, flags)
}

function named(result: Result, name: string | undefined): Result {
  return name === undefined || result.tag !== undefined ? result : { ...result, source: name }
}

function printResults(results: readonly Result[], { json }: ClientFlags): void {
  const text = json
    ? results.map((result) => `${JSON.stringify(result)}\n`).join('')
    : resultsText(results)
  process.stdout.write(text)
}

async function saveDrawn(
  client: AgentClient,
  uploads: readonly Upload[],
  how: Inference,
  pattern: string,
): Promise<void> {
  for (const [seq, upload] of uploads.entries()) {
    const file = drawnName(pattern, upload.name, seq)
    const picture = await client.draw(upload, how)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, picture)
  }
}

function checkDraw(pattern: string, files: readonly string[]): void {
  if (!/\.jpe?g$/i.test(pattern)) throw wrong(`--draw '${pattern}': must end in .jpg`)
  if (files.includes('-')) throw wrong('--draw sends a picture twice; standard input is read once')
  const names = new Set(files.map((file, seq) => drawnName(pattern, file, seq)))
  if (names.size === files.length) return
  const need = 'need {name} or {seq} in the file name, as out-{name}-{seq}.jpg'
  throw wrong(`--draw '${pattern}': ${files.length} pictures ${need}`)
}

function wrong(message: string): AgentError {
  return new AgentError('CONFIG_INVALID', message)
}
