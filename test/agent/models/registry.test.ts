import { describe, expect, it } from 'vitest'
import { createModel, optionsFor } from '../../../agent/models/registry.ts'
import { manifestOf } from './manifests.ts'

describe('model families', () => {
  it.each(['ssd', 'yolox'])('include %s', (family) => {
    const input = { ...manifestOf().input, width: 64, height: 64 }
    expect(createModel(manifestOf({ family, input })).kind).toBe('detections')
  })

  it.each(['yolo99', 'constructor', ''])("do not include '%s', and say which they do", (family) => {
    expect(() => createModel(manifestOf({ family }))).toThrow(
      expect.objectContaining({
        code: 'MODEL_LOAD',
        message: expect.stringMatching(/test-model.*known: ssd yolox/),
      }),
    )
  })

  it.each([
    ['ssd', 'boxes'],
    ['ssd', 'scores'],
    ['yolox', 'output'],
  ])('%s wants its manifest to name %s', (family, output) => {
    const input = { ...manifestOf().input, width: 64, height: 64 }
    const outputs = Object.fromEntries(
      Object.entries(manifestOf().outputs).filter(([name]) => name !== output),
    )
    expect(() => createModel(manifestOf({ family, outputs, input }))).toThrow(
      expect.objectContaining({
        code: 'MODEL_LOAD',
        message: expect.stringContaining(`lack '${output}'`),
      }),
    )
  })
})

describe('model options', () => {
  it('come from the manifest where they are not given, with all classes that exist', () => {
    expect(optionsFor(manifestOf())).toEqual({
      minScore: 0.5,
      iouThreshold: 0.5,
      maxItems: 20,
      labels: ['person', 'dog', 'cat'],
      track: false,
    })
  })

  it('win over the manifest where they are given, zero included', () => {
    const given = { minScore: 0, labels: ['dog'], track: true }
    expect(optionsFor(manifestOf(), given)).toEqual({
      minScore: 0,
      iouThreshold: 0.5,
      maxItems: 20,
      labels: ['dog'],
      track: true,
    })
  })
})
