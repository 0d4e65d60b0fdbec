import type { Device, InputSpec, ModelOptions, OutputSpec } from '../../schemas/control.ts'
import type { ResolvedModel } from '../../schemas/manifest.ts'
import type { InputState, OutputState } from '../../schemas/state.ts'
import type { Fault, InputReport, Once, OutputReport, ToService } from '../service/messages.ts'

/** What was asked for. Survives restarts of everything. */
export interface Desired {
  readonly inputs: Readonly<Record<string, InputSpec>>
  readonly outputs: Readonly<Record<string, OutputSpec>>
  readonly model: { readonly id: string; readonly device: Device; readonly options: ModelOptions }
  readonly compute: 'start' | 'stop'
}

/** One input as it is. `since` is when `state` began, Unix ms. */
export interface ActualInput {
  readonly state: InputState
  readonly since: number
  readonly run?: string
  readonly width?: number
  readonly height?: number
  readonly fps?: number
  readonly error?: Fault
}

/** One output as it is. */
export interface ActualOutput {
  readonly state: OutputState
  readonly since: number
  readonly written: number
  readonly dropped: number
  readonly error?: Fault
  /** Its encoder crashed the process: it stays off until it is set again. */
  readonly quarantined?: boolean
}

/** The model as it is; `running` infers, `resolved` lies on this machine ready to be loaded. */
export interface ActualModel {
  readonly state: 'unloaded' | 'pulling' | 'loading' | 'ready' | 'failed'
  readonly resolved?: ResolvedModel
  readonly running?: { readonly model: ResolvedModel; readonly provider: string }
  readonly progress?: number
  readonly error?: Fault
}

/** A service: what is desired, and what is. `crash` holds the last fault until it runs again. */
export interface ServiceState {
  readonly desired: Desired
  readonly process: 'down' | 'starting' | 'up' | 'stopping'
  readonly model: ActualModel
  readonly inputs: Readonly<Record<string, ActualInput>>
  readonly outputs: Readonly<Record<string, ActualOutput>>
  /** `once` requests that the service has not ended yet. */
  readonly pending: Readonly<Record<string, Once>>
  /** The process is kept warm for a while after its last work. */
  readonly lingering: boolean
  readonly crash?: Fault
}

/** What happens to a service: wishes first, then news from its process and its model. */
export type ServiceEvent =
  | {
      readonly type: 'input/set'
      readonly replace: boolean
      readonly patch: Readonly<Record<string, InputSpec | null>>
    }
  | { readonly type: 'output/set'; readonly patch: Readonly<Record<string, OutputSpec | null>> }
  | {
      readonly type: 'model/set'
      /** Options that are not named go back to the model's own. */
      readonly replace?: boolean
      readonly id?: string
      readonly device?: Device
      readonly options?: ModelOptions
    }
  | { readonly type: 'compute/start' }
  | { readonly type: 'compute/stop' }
  | { readonly type: 'compute/once'; readonly once: Once }
  | { readonly type: 'process/ready' }
  | { readonly type: 'process/exited'; readonly crash?: Fault }
  | { readonly type: 'input/quarantined'; readonly id: string; readonly error: Fault }
  | { readonly type: 'output/quarantined'; readonly id: string; readonly error: Fault }
  | { readonly type: 'model/progress'; readonly id: string; readonly progress: number }
  | { readonly type: 'model/fetched'; readonly model: ResolvedModel }
  | { readonly type: 'model/loaded'; readonly id: string; readonly provider: string }
  | { readonly type: 'model/failed'; readonly id: string; readonly error: Fault }
  | { readonly type: 'input/report'; readonly report: InputReport }
  | { readonly type: 'output/report'; readonly report: OutputReport }
  | { readonly type: 'once/cancel'; readonly request: string }
  | { readonly type: 'once/done'; readonly request: string }
  | { readonly type: 'linger/over' }

/** What is to be done about it. Each concerns one part and disturbs no other. */
export type Effect =
  | { readonly type: 'process/start' }
  | { readonly type: 'process/stop' }
  | { readonly type: 'model/fetch'; readonly id: string }
  | { readonly type: 'send'; readonly message: ToService }
  | { readonly type: 'linger' }
  | { readonly type: 'once/failed'; readonly request: string; readonly error: Fault }

/** The next state, and what is to be done to get there. */
export type Step = readonly [ServiceState, readonly Effect[]]

/** Video is not encoded while nobody watches. */
const defaultOutputs = { events: { url: 'mqtt:' }, video: { url: 'rtsp:' } }

/** A service that was never told anything. */
export function newService(model: Desired['model']): ServiceState {
  return {
    desired: { inputs: {}, outputs: defaultOutputs, model, compute: 'stop' },
    process: 'down',
    model: { state: 'unloaded' },
    inputs: {},
    outputs: {},
    pending: {},
    lingering: false,
  }
}

/** Whether there is something to infer for, now or at any time. */
export function isWanted(service: ServiceState): boolean {
  return service.desired.compute === 'start' || Object.keys(service.pending).length > 0
}

/** Whether the process reads this input, or will as soon as it is up. */
export function isOpen(input: ActualInput | undefined): boolean {
  return !!input && input.state !== 'closed' && input.state !== 'ended' && input.state !== 'failed'
}

/** An output that has delivered nothing yet. */
export function newOutput(state: ActualOutput['state'], since: number): ActualOutput {
  return { state, since, written: 0, dropped: 0 }
}

/** The same service, its model news replaced. */
export function withModel(service: ServiceState, model: ActualModel): ServiceState {
  return { ...service, model }
}

/** The same service, recovered. */
export function withoutCrash(service: ServiceState): ServiceState {
  const { crash, ...rest } = service
  return rest
}
