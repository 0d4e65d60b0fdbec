/** One value of a family, told from the others by its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Metrics of one name, as Prometheus has them: seconds, bytes and ratios from 0 to 1. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'summary'
  readonly samples: readonly Sample[]
}

/** A value that goes up and down. What cannot be read (undefined) is absent. */
export function gauge(name: string, help: string, value: number | undefined): Family {
  return family('gauge', name, help, value === undefined ? [] : [{ labels: {}, value }])
}

/** A family of any type. Samples without a value are absent. */
export function family(
  type: Family['type'],
  name: string,
  help: string,
  samples: readonly { readonly labels: Sample['labels']; readonly value: number | undefined }[],
): Family {
  const known = samples.filter((sample): sample is Sample => sample.value !== undefined)
  return { name, help, type, samples: known }
}

/** One of several states: 1 for the one that it is in, 0 for the others. */
export function oneOf(
  labels: Sample['labels'],
  states: readonly string[],
  current: string,
): readonly Sample[] {
  return states.map((state) => ({
    labels: { ...labels, state },
    value: state === current ? 1 : 0,
  }))
}
