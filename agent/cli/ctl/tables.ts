import type { ComputeView, ModelView, ServiceView } from '../../../schemas/http.ts'
import type { Result } from '../../../schemas/results.ts'
import type { AgentInfo, ErrorInfo, ModelStatus, ServiceStatus } from '../../../schemas/state.ts'
import { redact } from '../../core/redact.ts'
import { table } from '../table.ts'

const LONGEST_URL = 100

/** Every input: id, state, size, where from; what is wrong with it below. */
export function inputsText(inputs: ServiceView['input']): string {
  const rows = Object.entries(inputs).map(([id, { state, width, height, url, error }]) => [
    id,
    state,
    width === undefined || height === undefined ? '-' : `${width}×${height}`,
    `${shown(url)}${optionsOf(inputs[id])}${complaint(error)}`,
  ])
  return rows.length === 0 ? 'no input\n' : table([['INPUT', 'STATE', 'SIZE', 'URL'], ...rows])
}

/** Every output: id, state, counters, where to. */
export function outputsText(outputs: ServiceView['output']): string {
  const rows = Object.entries(outputs).map(([id, { state, written, dropped, url, error }]) => [
    id,
    state,
    String(written),
    String(dropped),
    `${shown(url)}${optionsOf(outputs[id])}${complaint(error)}`,
  ])
  const head = ['OUTPUT', 'STATE', 'WRITTEN', 'DROPPED', 'URL']
  return rows.length === 0 ? 'no output\n' : table([head, ...rows])
}

/** The model in use. */
export function modelText(model: ModelStatus): string {
  const options = Object.entries(model.options).map(([name, value]) => `${name}=${value}`)
  return table([
    ['model', model.id],
    ['state', `${model.state}${complaint(model.error)}`],
    ...(model.running === undefined ? [] : [['running', model.running]]),
    ['device', model.provider ? `${model.device} (${model.provider})` : model.device],
    ['options', options.join(' ') || '-'],
    ...(model.labels ? [['labels', String(model.labels.length)]] : []),
    ...(model.licence === undefined ? [] : [['licence', model.licence]]),
  ])
}

/** What is wanted, how it is, and what can be watched. */
export function computeText({ compute, state, streams }: ComputeView): string {
  const rows = Object.entries(streams).map(([name, { url, viewers = 0 }]) => [
    name,
    `${url}${(viewers ?? 0) > 0 ? ` (${viewers} watching)` : ''}`,
  ])
  return table([['compute', compute], ['state', stateOf(state)], ...rows])
}

/** The state of a service, and why it is so. */
export function stateText(state: ServiceStatus): string {
  return `${stateOf(state)}\n`
}

/** One line for each service. */
export function servicesText(services: readonly ServiceView[]): string {
  if (services.length === 0) return 'no service\n'
  const rows = services.map((view) => [
    view.service,
    view.compute,
    view.state.state,
    view.model.id,
    Object.keys(view.input).join(' ') || '-',
    Object.keys(view.output).join(' ') || '-',
  ])
  return table([['SERVICE', 'COMPUTE', 'STATE', 'MODEL', 'INPUTS', 'OUTPUTS'], ...rows])
}

/** Everything about one service. */
export function serviceText(view: ServiceView): string {
  const { service, model, input, output } = view
  const parts = [modelText(model), inputsText(input), outputsText(output)]
  return `service  ${service}\n${[computeText(view), ...parts].join('\n')}`
}

/** One line for each model of the agent's machine. */
export function modelsText(models: readonly ModelView[]): string {
  const rows = models.map(({ id, state, bytes, licence, task, labels }) => [
    id,
    bytes === undefined ? state : `${state}, ${(bytes / 1e6).toFixed(1)} MB`,
    licence,
    `${task}, ${labels.length} labels`,
  ])
  return table([['MODEL', 'STATE', 'LICENCE', 'TASK'], ...rows])
}

/** What the agent is. */
export function infoText({ agent, version, hardware, providers, services, ...info }: AgentInfo) {
  return table([
    ['agent', agent],
    ['version', `${version}, contract ${info.contract}, Node ${info.node}`],
    ['machine', `${hardware.host}: ${hardware.cpu}, ${hardware.cores} cores, ${hardware.arch}`],
    ['providers', providers.join(' ') || '-'],
    ['services', services.join(' ') || '-'],
    ...Object.entries(info.addresses).map(([name, address]) => [name, redact(address)]),
  ])
}

/** What was found, one line for each object. */
export function resultsText(results: readonly Result[]): string {
  const rows = results.flatMap(({ tag, input, source, items }) => {
    const name = tag ?? source ?? input
    if (items.length === 0) return [[name, 'nothing', '', '']]
    return items.map(({ label, score, box }) => [
      name,
      label,
      `${Math.round(score * 100)} %`,
      box.map((side) => Math.round(side)).join(' '),
    ])
  })
  return table([['PICTURE', 'LABEL', 'SCORE', 'X Y WIDTH HEIGHT'], ...rows])
}

function stateOf({ state, reason, error }: ServiceStatus): string {
  return `${state}${reason ? ` (${reason})` : ''}${complaint(error)}`
}

/** How an input or output is, and its URL: everything else was chosen. */
const told = ['url', 'state', 'since', 'width', 'height', 'run', 'written', 'dropped', 'error']

function optionsOf(part: object = {}): string {
  const texts = Object.entries(part)
    .filter(([name]) => !told.includes(name))
    .map(([name, value]) => `${name}=${optionText(value)}`)
  return texts.length === 0 ? '' : `  ${texts.join(' ')}`
}

function optionText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function complaint(error: ErrorInfo | undefined): string {
  return error ? `  ${error.code}: ${redact(error.message)}` : ''
}

function shown(url: string): string {
  const safe = redact(url)
  return safe.length > LONGEST_URL ? `${safe.slice(0, LONGEST_URL)}…` : safe
}
