import { openSync, readFileSync, writeSync } from 'node:fs'
import type { Suspect } from './messages.ts'

/**
 * What native code works on, noted before each native call in a small file, so that it outlives the
 * process: a write to the page cache survives SIGSEGV and SIGKILL, and costs about a microsecond.
 * One record per input, per output that encodes and per request for one result at a time: a byte for each kind of work
 * (inference: for each of 8 threads), the id's length, the id. Every byte has one writer.
 */
const RECORD_BYTES = 80
const LENGTH_AT = 15
const INFER_THREADS = 8

/** Kind of work → its byte in the record. */
const workAt = { open: 0, read: 1, scale: 2, load: 3, infer: 4, encode: 12 } as const
/** A kind of work that native code does. */
export type NativeWork = keyof typeof workAt

/** What loading the model is called in the record. */
export const MODEL = '$model'
/** What all requests for one result are called in the record. */
const ONCE = '$once'
/** Ids may be 63 characters long, and no id begins with it. */
const OUTPUT = '>'

/** What `suspect` is called in the record. */
export function nameInRecord(suspect: Suspect): string {
  if (suspect.kind === 'model') return MODEL
  if (suspect.kind === 'once') return ONCE
  return suspect.kind === 'output' ? OUTPUT + suspect.id : suspect.id
}

/** Who is called so in the record. */
export function suspectCalled(name: string): Suspect {
  if (name === MODEL) return { kind: 'model' }
  if (name === ONCE) return { kind: 'once' }
  const output = name.startsWith(OUTPUT)
  return { kind: output ? 'output' : 'input', id: output ? name.slice(OUTPUT.length) : name }
}

/** Where a note goes: an open file and a place in it. Plain data: it crosses threads. */
export interface CrashPlace {
  readonly fd: number
  readonly slot: number
}

/** Notes of one process, by input. */
export interface CrashRecord {
  /** The place of `id`; the same one for as long as the process lives. */
  place(id: string): CrashPlace
  /** The place of an output. */
  output(id: string): CrashPlace
  /** The `index`-th place of requests for one result: those at work at once need one each. */
  once(index: number): CrashPlace
}

/** Opens an empty record. It stays open as long as the process lives: native code that is under way at the end notes it, too. */
export function crashRecord(file: string): CrashRecord {
  const fd = openSync(file, 'w', 0o600)
  const slots = new Map<string, number>()
  function place(id: string, called = id): CrashPlace {
    const slot = slots.get(id) ?? slots.size
    if (!slots.has(id)) {
      slots.set(id, slot)
      const name = Buffer.from(called)
      const record = Buffer.alloc(RECORD_BYTES)
      record[LENGTH_AT] = name.length
      name.copy(record, LENGTH_AT + 1)
      writeSync(fd, record, 0, RECORD_BYTES, slot * RECORD_BYTES)
    }
    return { fd, slot }
  }
  return {
    place: (id) => place(id),
    output: (id) => place(nameInRecord({ kind: 'output', id })),
    once: (index) => place(`${ONCE} ${index}`, ONCE),
  }
}

/**
 * Notes that a kind of work on a place begins or ends.
 * @param thread which inference thread notes, from 0
 */
export function crashNote(place: CrashPlace, work: NativeWork, on: boolean, thread = 0): void {
  const at = workAt[work] + (work === 'infer' ? thread % INFER_THREADS : 0)
  writeSync(place.fd, on ? BUSY : IDLE, 0, 1, place.slot * RECORD_BYTES + at)
}

const BUSY = Uint8Array.of(1)
const IDLE = Uint8Array.of(0)

/** What was being worked on: id → kinds of work. Empty when there is no readable record. */
export function readCrashRecord(file: string): ReadonlyMap<string, readonly NativeWork[]> {
  const bytes = readIfThere(file)
  const busy = new Map<string, readonly NativeWork[]>()
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    const record = bytes.subarray(at, at + RECORD_BYTES)
    const length = record[LENGTH_AT] ?? 0
    const id = record.toString('utf8', LENGTH_AT + 1, LENGTH_AT + 1 + length)
    const works = (Object.keys(workAt) as NativeWork[]).filter((work) => isBusy(record, work))
    if (works.length > 0) busy.set(id, [...new Set([...(busy.get(id) ?? []), ...works])])
  }
  return busy
}

function isBusy(record: Buffer, work: NativeWork): boolean {
  const at = workAt[work]
  return record.subarray(at, at + (work === 'infer' ? INFER_THREADS : 1)).some((byte) => byte !== 0)
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
