import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { trialInProcess } from '../../../agent/media/trial.ts'
import { temporaryPath } from './clips.ts'

describe('a trial in a process of its own', () => {
  it.each([
    ['prints true', 'process.stdout.write(String(process.argv[2] === "given"))', true],
    ['prints false', 'process.stdout.write("false")', false],
    ['prints nothing', '', false],
    ['throws', 'process.stdout.write("true"); throw new Error("no driver")', false],
    ['complains on the way', 'console.error("libva: no"); console.log(true)', true],
    ['crashes', 'process.kill(process.pid, "SIGSEGV"); setTimeout(() => {}, 1e6)', false],
  ])('that %s', async (_, source, works) => {
    expect(await trialInProcess(program(source), ['given'])).toBe(works)
  })

  it('that hangs is ended', async () => {
    const began = performance.now()
    expect(await trialInProcess(program('for (;;);'), [], 500)).toBe(false)
    expect(performance.now() - began).toBeLessThan(5000)
  })

  it('that is not there fails', async () => {
    expect(await trialInProcess(pathToFileURL('/nowhere/trial.js'), [])).toBe(false)
  })
})

function program(source: string): URL {
  const file = temporaryPath('program.mjs')
  writeFileSync(file, source)
  return pathToFileURL(file)
}
