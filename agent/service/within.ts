/** Waits for `task`, but no longer than `ms`. */
export async function within(ms: number, task: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await Promise.race([task, late])
  } finally {
    clearTimeout(timer)
  }
}
