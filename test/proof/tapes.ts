import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AddressBook } from '../../schemas/address.ts'
import { parseMessages, type Recording } from './recording.ts'

/** The files of one recording, each written by a program that is not the agent's. */
const files = {
  /** `mosquitto_sub`, from before the start of the agent to after its end. */
  everything: 'recording.txt',
  /** `mosquitto_sub --retained-only`. */
  retainedAfterRestart: 'retained-after-restart.txt',
  retainedAtEnd: 'retained-at-end.txt',
  /** What /proc showed, one file or process a line. */
  nativeInMain: 'native-in-main.txt',
  orphans: 'orphans.txt',
  processesAtEnd: 'processes-at-end.txt',
  /** What was recorded: the agent's address and the clip. */
  about: 'about.json',
} as const

export type Tape = keyof typeof files

interface About {
  readonly book: AddressBook
  readonly clip: string
}

/** Where a tape lies in a folder. */
export function tapeFile(folder: string, tape: Tape): string {
  return join(folder, files[tape])
}

/** Writes one tape. */
export async function writeTape(folder: string, tape: Tape, text: string): Promise<void> {
  await writeFile(tapeFile(folder, tape), text)
}

/** Reads what a folder holds, for judging. */
export async function readRecording(
  folder: string,
): Promise<{ readonly recording: Recording; readonly clip: string }> {
  const read = (tape: Tape) => readFile(tapeFile(folder, tape), 'utf8')
  const { book, clip } = JSON.parse(await read('about')) as About
  const lines = async (tape: Tape) => (await read(tape)).split('\n').filter(Boolean)
  const recording = {
    book,
    messages: parseMessages(await read('everything')),
    retainedAfterRestart: parseMessages(await read('retainedAfterRestart')),
    retainedAtEnd: parseMessages(await read('retainedAtEnd')),
    nativeInMain: await lines('nativeInMain'),
    orphans: await lines('orphans'),
    processesAtEnd: await lines('processesAtEnd'),
  }
  return { recording, clip }
}
