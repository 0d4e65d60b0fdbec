/** Whether a topic below a service, as `detections/gate`, is of this input; topics of no single input pass. */
export function isOf(input: string | undefined, topic: string): boolean {
  const [kind = '', first, second] = topic.split('/')
  const own = kind === 'stream' ? second : first
  return input === undefined || own === undefined || own === input
}
