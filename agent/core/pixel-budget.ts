/** Bounds how many decoded pixels are in memory at once, in order of asking. */
export interface PixelBudget {
  /** Waits until there is room; a picture larger than all of it is let in alone. @returns how to give it back, once */
  take(pixels: number): Promise<() => void>
}

/** @param total pixels */
export function pixelBudget(total: number): PixelBudget {
  let held = 0
  const waiting: { readonly pixels: number; readonly enter: () => void }[] = []

  function admit(): void {
    let next = waiting[0]
    while (next && (held === 0 || held + next.pixels <= total)) {
      waiting.shift()
      held += next.pixels
      next.enter()
      next = waiting[0]
    }
  }
  return {
    async take(pixels) {
      await new Promise<void>((enter) => {
        waiting.push({ pixels, enter })
        admit()
      })
      return () => {
        held -= pixels
        admit()
      }
    },
  }
}
