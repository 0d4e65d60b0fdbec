/** Whether a relative path stays below the folder it is relative to, links not considered. */
export function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.includes('\\') && !path.split('/').includes('..')
}
