import { createSink } from '../../../agent/sinks/registry.ts'
import { give, result, sinkContext } from './surroundings.ts'

/** Run as a program: sends one result to each URL that it is given, and prints what became of it. */
for (const url of process.argv.slice(2)) {
  const { context, told } = sinkContext({ mediaFolder: '/nowhere' })
  const sink = createSink({ url }, context)
  const delivered = sink.open().then(() => give(sink, result(0)))
  const outcome = await Promise.race([
    delivered.then(
      () => 'delivered',
      (error: Error) => error.message,
    ),
    told.trouble().then((error) => error.message),
  ])
  await sink.close()
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}
