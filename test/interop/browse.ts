import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Opens a page in a browser without a window. */
export async function browse(url: string): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'browser-'))
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
  args.push('--autoplay-policy=no-user-gesture-required', `--user-data-dir=${profile}`, url)
  const browser = spawn('chromium', args, { stdio: 'ignore', detached: true })
  const gone = once(browser, 'exit')
  onTestFinished(async () => {
    // Its helpers are a group of their own.
    if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL')
    await gone
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  })
}
