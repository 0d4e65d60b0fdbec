/** Who uses the network: decides the codes of its errors, and the setting that they name. */
export interface Side {
  readonly forbidden: 'SOURCE_FORBIDDEN' | 'SINK_FORBIDDEN'
  readonly failed: 'SOURCE_UNREACHABLE' | 'SINK_FAILED'
  readonly unsupported: 'SOURCE_UNSUPPORTED' | 'SINK_UNSUPPORTED'
  /** Where addresses are allowed and denied. */
  readonly setting: string
  /** What is attempted: `cannot ${attempt} http://…`. */
  readonly attempt: string
  /** Whether a certificate that does not verify is tried again. Nobody watches an output while it runs for months. */
  readonly retriesCertificates: boolean
}

/** Inputs read from the network. */
export const forInputs: Side = {
  forbidden: 'SOURCE_FORBIDDEN',
  failed: 'SOURCE_UNREACHABLE',
  unsupported: 'SOURCE_UNSUPPORTED',
  setting: 'sources.addresses',
  attempt: 'read',
  retriesCertificates: false,
}

/** Outputs send to the network. */
export const forOutputs: Side = {
  forbidden: 'SINK_FORBIDDEN',
  failed: 'SINK_FAILED',
  unsupported: 'SINK_UNSUPPORTED',
  setting: 'outputs.addresses',
  attempt: 'send to',
  retriesCertificates: true,
}
