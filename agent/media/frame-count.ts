let live = 0

/** How many frames of this process are not yet released; 0 when nothing is being looked at. */
export function liveFrames(): number {
  return live
}

/** Notes that a frame was made (1) or freed (-1). Called by `countedFrame` only. */
export function countFrames(change: 1 | -1): void {
  live += change
}
