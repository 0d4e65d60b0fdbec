/** Which network addresses inputs, or outputs, may reach. */
export interface AddressRules {
  /** CIDR blocks that are refused though they would be allowed otherwise. */
  readonly deny: readonly string[]
  /** CIDR blocks that are allowed though they would be refused otherwise. */
  readonly allow: readonly string[]
  /** The agent's own ports, refused on every address of this machine. */
  readonly ownPorts: readonly number[]
}
