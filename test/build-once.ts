import { execFileSync } from 'node:child_process'

/** Compiles `dist/` once before the tests: whatever a test starts as a process is what users start. */
export function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
}
