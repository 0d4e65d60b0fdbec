import { workerData } from 'node:worker_threads'

/**
 * Entry of a tiny thread that ends its process when the parent process is gone, even while the main
 * thread is busy in native code: an orphan would hold cameras and memory that nobody controls.
 * Used only where the kernel cannot be asked to do it (see `launch.ts`).
 */
setInterval(() => {
  if (process.ppid !== workerData.parent) process.kill(process.pid, 'SIGKILL')
}, 500)
