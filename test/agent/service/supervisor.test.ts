import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLog } from '../../../agent/log.ts'
import type { ProcessListener } from '../../../agent/service/launch.ts'
import { Supervisor } from '../../../agent/service/supervisor.ts'
import { sourceContext } from '../sources/surroundings.ts'

/** A supervisor whose process is made up: what was told of it, in order, and how it was killed. */
function supervised() {
  const told: string[] = []
  const kills: string[] = []
  let child: ProcessListener | undefined
  const supervisor = new Supervisor({
    service: 'eyes',
    limits: sourceContext().limits,
    crashRecord: join(tmpdir(), 'heliograph-no-such-record'),
    launch: (listener) => {
      child = listener
      return {
        pid: 1,
        queuedBytes: 0,
        send: () => undefined,
        kill: (signal) => void kills.push(signal),
      }
    },
    listener: {
      ready: () => told.push('ready'),
      exited: (crash) => told.push(crash ? `crashed: ${crash.message}` : 'exited'),
      endedBadly: ({ code: why, message }) => told.push(`${why} ${message}`),
      quarantined: () => told.push('quarantined'),
      message: () => undefined,
      video: () => undefined,
    },
    log: createLog({ level: 'silent', human: false }),
  })
  supervisor.start()
  child?.message({ type: 'ready' })
  return { supervisor, child, told, kills }
}

/** Stops a process that then ends so. @returns what was told of it, in order */
async function stopped(code: number | null, lastWords: string): Promise<string[]> {
  const { supervisor, child, told } = supervised()
  const gone = supervisor.stop()
  child?.exited(code, null, lastWords)
  await gone
  return told
}

it('tells why a process that was to end did not do so in order', async () => {
  expect(await stopped(1, 'the disk is full')).toEqual([
    'ready',
    expect.stringMatching(/^SERVICE_CRASHED .*'eyes' ended with code 1.*: the disk is full$/),
    'exited',
  ])
})

it('tells no error of a process that ends in order when it is to', async () => {
  expect(await stopped(0, '')).toEqual(['ready', 'exited'])
})

it('ends a process that does what no service does, and starts another', async () => {
  const { supervisor, child, told, kills } = supervised()
  child?.broken('sent rubbish')
  expect(kills).toEqual(['SIGKILL'])
  child?.exited(null, 'SIGKILL', '')
  expect(told.at(-1)).toMatch(/^crashed: .*'eyes' sent rubbish; it is started again$/)
  expect(supervisor.restarts).toBe(1)
  await supervisor.stop()
})
