import { resizeWasm } from './resize-wasm.ts'

/** What `resize.wat` exports; all its arguments are addresses, counts and whole factors. */
export interface ResizeKernel {
  readonly memory: Memory
  line(
    upper: number,
    lower: number,
    down: number,
    first: number,
    across: number,
    out: number,
    count: number,
  ): void
  decode(
    y: number,
    u: number,
    v: number,
    out: number,
    count: number,
    black: number,
    luma: number,
    redV: number,
    greenU: number,
    greenV: number,
    blueU: number,
  ): void
}

/** What is used of WebAssembly's interface: Node's types leave it to those of browsers. */
interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}
interface Compiler {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** Bytes of a page of WebAssembly. */
const PAGE = 1 << 16

/** A kernel with memory of its own. */
export function resizeKernel(): ResizeKernel {
  const { Module, Instance } = Reflect.get(globalThis, 'WebAssembly') as Compiler
  return new Instance(new Module(Buffer.from(resizeWasm, 'base64'))).exports as ResizeKernel
}

/** Makes the memory hold `bytes` at least. Views of it from before are empty then. */
export function grow({ memory }: ResizeKernel, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE))
}
