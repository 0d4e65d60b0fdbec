import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** TypeBox in one file, as the build leaves it: its modules would take half a second of each test file. */
const typebox = fileURLToPath(new URL('dist/schemas/typebox.js', import.meta.url))

export default defineConfig({
  resolve: { alias: [{ find: /^\..*\/typebox\.ts$/, replacement: typebox }] },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Many tests wait for peers: two files at a time even where there are two cores.
    maxWorkers: 2,
    globalSetup: ['test/build-once.ts'],
    server: { deps: { external: [typebox] } },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
