import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as passed } from 'node:timers/promises'
import sharp from 'sharp'
import { type AgentProcess, type Program, startAgentProcess } from './agent-process.ts'
import { badMessages } from './bad-messages.ts'
import { type Controller, startController } from './controller.ts'
import { PICTURES_TOPIC } from './judge-steps.ts'
import { startPictureServer } from './picture-server.ts'
import { nativeModulesOf, type ProcessInfo, processesIn } from './processes.ts'
import { retainedNow, startRecorder } from './recorder.ts'
import { playDeath, playEnd, playUntilDeath } from './scenario.ts'
import { placeSecondModel } from './second-model.ts'
import type { Stage } from './stage.ts'
import { tapeFile, writeTape } from './tapes.ts'
import { makeWorkspace, type Workspace } from './workspace.ts'

const media = 'examples/media'
const pictures = ['dog.jpg', 'street.jpg', 'two-dogs.jpg']

/** A service process whose main is gone ends within this time (design.md, "Orphans die"). */
const ORPHAN_LIMIT_MS = 3000

/** Plays the whole scenario on a fresh agent; the recording lies in the workspace's folder. */
export async function perform(program: Program, say: (text: string) => void): Promise<Workspace> {
  const server = await startPictureServer(media, pictures)
  const workspace = await makeWorkspace(server.url)
  const { folder, mqttPort } = workspace
  const otherModel = await placeSecondModel(join(folder, 'models'))
  const { book, clip } = workspace
  await writeTape(folder, 'about', JSON.stringify({ book, clip }))
  for (const tape of ['orphans', 'nativeInMain'] as const) {
    await writeTape(folder, tape, 'unknown: the scenario never came to kill main\n')
  }
  const started = startAgentProcess(workspace, program)
  const controller = startController(mqttPort, 'proof-controller')
  const agent = { now: started }
  try {
    say(`agent ${started.pid} on port ${mqttPort}, folder ${folder}`)
    if (!(await controller.connected(60_000))) say('  no broker: going on')
    const recorder = startRecorder(mqttPort, tapeFile(folder, 'everything'))
    const stopPictures = await publishPictures(mqttPort)
    const stage = stageOf(workspace, program, controller, agent, say)
    await playUntilDeath(stage, otherModel, server.url, badMessages(book.root, clip))
    await playDeath(stage)
    await writeTape(folder, 'retainedAfterRestart', await retainedNow(mqttPort))
    await playEnd(stage)
    await writeTape(folder, 'retainedAtEnd', await retainedNow(mqttPort))
    stopPictures()
    await recorder.stop()
  } finally {
    await agent.now.end('SIGTERM')
    await writeTape(folder, 'processesAtEnd', linesOf(await processesIn(folder)))
    await controller.close()
    await server.close()
  }
  return workspace
}

function stageOf(
  workspace: Workspace,
  program: Program,
  controller: Controller,
  agent: { now: AgentProcess },
  say: (text: string) => void,
): Stage {
  const { folder } = workspace
  return {
    workspace,
    controller,
    agent: () => agent.now,
    say,
    async restart() {
      const old = await processesIn(folder)
      const native = await nativeModulesOf(agent.now.pid)
      await writeTape(folder, 'nativeInMain', native.map((file) => `${file}\n`).join(''))
      await agent.now.end('SIGKILL')
      const orphans = passed(ORPHAN_LIMIT_MS).then(() => processesIn(folder))
      agent.now = startAgentProcess(workspace, program)
      const alive = new Set((await orphans).map(({ pid }) => pid))
      await writeTape(folder, 'orphans', linesOf(old.filter(({ pid }) => alive.has(pid))))
    },
  }
}

/** Publishes small pictures for ever, four a second; returns how to stop. */
async function publishPictures(port: number): Promise<() => void> {
  const small = await Promise.all(
    pictures.map(async (name) =>
      sharp(await readFile(join(media, name)))
        .resize(480)
        .jpeg()
        .toBuffer(),
    ),
  )
  const camera = startController(port, 'proof-camera')
  await camera.connected(10_000)
  let next = 0
  const timer = setInterval(() => {
    const picture = small[next++ % small.length]
    if (picture) camera.publish(PICTURES_TOPIC, picture, { qos: 0 })
  }, 250)
  return () => {
    clearInterval(timer)
    void camera.close()
  }
}

function linesOf(processes: readonly ProcessInfo[]): string {
  return processes.map(({ pid, command }) => `${pid} ${command}\n`).join('')
}
