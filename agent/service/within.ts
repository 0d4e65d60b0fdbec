/** Waits for `task`, but no longer than `ms`; tells whether it was done in time. */
export async function within(ms: number, task: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([task.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
