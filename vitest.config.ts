import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** TypeBox in one file, as the build leaves it: its modules would take half a second of each test file. */
const typebox = fileURLToPath(new URL('dist/schemas/typebox.js', import.meta.url))

/** Vitest begins with the longest files; those whose tests stand elsewhere look short, and would be left over for the end. */
const long = /\/media\/(ffmpeg|ffmpeg-encode|node-av)\.test\.ts$|\/swagger-ui\.test\.ts$/

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  resolve: { alias: [{ find: /^\..*\/typebox\.ts$/, replacement: typebox }] },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Many tests wait for peers: two files at a time even where there are two cores.
    maxWorkers: 2,
    globalSetup: ['test/build-once.ts'],
    server: { deps: { external: [typebox] } },
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
