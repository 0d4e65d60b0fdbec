import type { InputStats, Quantiles, StreamStatus } from '../../../schemas/state.ts'
import { InputState, OutputState, ServicePhase } from '../../../schemas/state.ts'
import type { ServiceControl } from '../../control/service-control.ts'
import { inputStatuses, outputStatuses, phaseOf } from '../../control/view.ts'
import { type Family, family, oneOf, type Sample } from './family.ts'

type Service = Pick<ServiceControl, 'state' | 'facts' | 'usage'>
type Labelled = { readonly labels: Sample['labels']; readonly value: number | undefined }
type Collect = (id: string, service: Service) => readonly Labelled[]

/** Services, their inputs, outputs and streams. Counters count from the agent's start. */
export function serviceFamilies(services: ReadonlyMap<string, Service>): Family[] {
  const of = (type: Family['type'], name: string, help: string, collect: Collect): Family =>
    family(
      type,
      name,
      help,
      [...services].flatMap(([id, service]) => collect(id, service)),
    )
  return [
    of(
      'gauge',
      'heliograph_service_state',
      'Which state the service is in.',
      (service, { state }) => oneOf({ service }, ServicePhase.enum, phaseOf(state)),
    ),
    of('gauge', 'heliograph_service_wanted', 'Whether it is to run.', (service, { state }) => [
      { labels: { service }, value: state.desired.compute === 'start' ? 1 : 0 },
    ]),
    of(
      'counter',
      'heliograph_service_restarts_total',
      'Restarts of the process after crashes.',
      (service, { usage }) => [{ labels: { service }, value: usage.restarts }],
    ),
    of(
      'counter',
      'heliograph_service_undelivered_events_total',
      'Results dropped because the agent fell behind.',
      (service, { facts }) => [{ labels: { service }, value: facts.counts.undelivered }],
    ),
    of(
      'gauge',
      'heliograph_service_model_info',
      'The model that infers, and on what.',
      (service, { state }) => modelInfo(service, state.model.running),
    ),
    ...inputFamilies(of),
    ...outputFamilies(of),
  ]
}

type Of = (type: Family['type'], name: string, help: string, collect: Collect) => Family

function inputFamilies(of: Of): Family[] {
  const counted = (name: string, help: string, key: 'in' | 'inferred' | 'dropped' | 'failed') =>
    of('counter', `heliograph_input_samples_${name}_total`, help, (service, { facts }) =>
      Object.entries(facts.counts.inputs).map(([input, counts]) => ({
        labels: { service, input },
        value: counts[key],
      })),
    )
  return [
    counted('read', 'Samples that came in.', 'in'),
    counted('inferred', 'Samples inferred.', 'inferred'),
    counted('dropped', 'Samples of a live source replaced by newer ones.', 'dropped'),
    counted('failed', 'Samples that could not be decoded or inferred.', 'failed'),
    of(
      'gauge',
      'heliograph_input_samples_alive',
      'Samples held in memory.',
      eachInput(({ alive }) => alive),
    ),
    of(
      'gauge',
      'heliograph_input_inferred_per_second',
      'Samples inferred in the last second.',
      eachInput(({ inferred }) => inferred),
    ),
    of(
      'summary',
      'heliograph_input_stage_duration_seconds',
      'How long a stage took in the last second.',
      (service, { facts }) =>
        Object.entries(facts.stats?.inputs ?? {}).flatMap(([input, { ms }]) =>
          Object.entries(ms).flatMap(([stage, times]) =>
            quantiles({ service, input, stage }, times),
          ),
        ),
    ),
    of('gauge', 'heliograph_input_state', 'Which state the input is in.', (service, { state }) =>
      Object.entries(inputStatuses(state)).flatMap(([input, status]) =>
        oneOf({ service, input }, InputState.enum, status.state),
      ),
    ),
  ]
}

function eachInput(value: (stats: InputStats) => number): Collect {
  return (service, { facts }) =>
    Object.entries(facts.stats?.inputs ?? {}).map(([input, stats]) => ({
      labels: { service, input },
      value: value(stats),
    }))
}

function quantiles(labels: Sample['labels'], { p50, p95, p99 }: Quantiles): Labelled[] {
  return [
    { labels: { ...labels, quantile: '0.5' }, value: p50 / 1000 },
    { labels: { ...labels, quantile: '0.95' }, value: p95 / 1000 },
    { labels: { ...labels, quantile: '0.99' }, value: p99 / 1000 },
  ]
}

function outputFamilies(of: Of): Family[] {
  const counted = (key: 'written' | 'dropped', help: string) =>
    of('counter', `heliograph_output_results_${key}_total`, help, (service, { facts }) =>
      Object.entries(facts.counts.outputs).map(([output, counts]) => ({
        labels: { service, output },
        value: counts[key],
      })),
    )
  return [
    counted('written', 'Results delivered.'),
    counted('dropped', 'Results given up: the destination was too slow, or failing.'),
    of('gauge', 'heliograph_output_state', 'Which state the output is in.', (service, { state }) =>
      Object.entries(outputStatuses(state)).flatMap(([output, status]) =>
        oneOf({ service, output }, OutputState.enum, status.state),
      ),
    ),
    of('gauge', 'heliograph_stream_viewers', 'Who watches the stream.', (service, { facts }) =>
      Object.entries<Partial<StreamStatus>>(facts.streams).map(([path, { viewers }]) => {
        const [output = '', input = ''] = path.split('/')
        return { labels: { service, output, input }, value: viewers }
      }),
    ),
  ]
}

function modelInfo(
  service: string,
  running: Service['state']['model']['running'],
): readonly Sample[] {
  if (!running) return []
  const { model, provider } = running
  return [{ labels: { service, model: model.manifest.id, provider }, value: 1 }]
}
