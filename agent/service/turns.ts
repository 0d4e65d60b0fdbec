/** Runs tasks of the same name one after another, and those of other names beside them. */
export interface Turns {
  /** Resolves when the task is done; its failure does not stop those behind it. */
  take(name: string, task: () => Promise<void>): Promise<void>
}

/** No task yet. */
export function turns(): Turns {
  const last = new Map<string, Promise<void>>()
  return {
    take(name, task) {
      const mine = (last.get(name) ?? Promise.resolve()).then(task)
      const settled = mine
        .then(undefined, () => undefined)
        .then(() => {
          if (last.get(name) === settled) last.delete(name)
        })
      last.set(name, settled)
      return mine
    },
  }
}
