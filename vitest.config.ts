import { fileURLToPath } from 'node:url'
import { defaultExclude, defineConfig } from 'vitest/config'
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

/**
 * Tests that may share a process and its modules, which saves half a second for each file. Those that measure their
 * process, change its environment or register a suite from another module have one of their own.
 */
const sharing = [
  'test/agent/{access,config,control,core,imaging,live,models,mux,net,pipeline,rtsp,tracking}/**/*.test.ts',
  'test/{bench,broker,proof,schemas}/**/*.test.ts',
]

const common = {
  resolve: { alias: [{ find: /^\..*\/typebox\.ts$/, replacement: typebox }] },
  test: {
    server: { deps: { external: [typebox] } },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
}

export default defineConfig({
  test: {
    projects: [
      { ...common, test: { ...common.test, name: 'sharing', include: sharing, isolate: false } },
      {
        ...common,
        test: {
          ...common.test,
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: [...defaultExclude, ...sharing],
        },
      },
    ],
    pool: 'forks',
    // Many tests wait for peers: two files at a time even where there are two cores.
    maxWorkers: 2,
    globalSetup: ['test/build-once.ts'],
    sequence: { sequencer: LongestFirst },
  },
})
