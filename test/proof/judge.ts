import type { BadMessage } from './bad-messages.ts'
import { judgeBadMessages, judgeBlow } from './judge-blows.ts'
import { judgeContract, judgeLeftovers, judgeRestart } from './judge-end.ts'
import { judgeB, judgeInputStep, judgeModelStep, judgeOutputStep } from './judge-steps.ts'
import type { Recording } from './recording.ts'
import type { Verdict } from './verdict.ts'

/** Everything that the proof asserts, from the recording alone. */
export function judge(recording: Recording, bad: readonly BadMessage[]): Verdict[] {
  return [
    ...judgeB(recording),
    ...judgeOutputStep(recording),
    ...judgeInputStep(recording),
    ...judgeModelStep(recording),
    ...judgeBlow(recording, 'segv', 'after SIGSEGV'),
    ...judgeBlow(recording, 'stop-signal', 'after SIGSTOP'),
    ...judgeBadMessages(recording, bad),
    ...judgeRestart(recording),
    ...judgeLeftovers(recording),
    judgeContract(recording),
  ]
}
