/** Takes the exit code of a command. */
export type End = (exitCode: number) => void

/** What the help of every command of `ctl` ends with. */
export const CONNECTING = `
The agent is at --url, else at HELIOGRAPH_URL, else at http://127.0.0.1:8080. Prefer HELIOGRAPH_TOKEN to
--token, which others see in the list of processes. Data goes to stdout, everything else to stderr.
Exit codes: 0 fine, 1 something failed, 2 the command line is wrong, 130 stopped by Ctrl-C.`
