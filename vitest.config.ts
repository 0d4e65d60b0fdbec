import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['test/build-once.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
