import { describe, expect, it } from 'vitest'
import { createBackend, listProviders } from '../../../agent/backends/registry.ts'

describe('backends', () => {
  it('include onnx', () => {
    expect(createBackend('onnx').name).toBe('onnx')
  })

  it('work on the processor at least', async () => {
    expect(await listProviders()).toContain('cpu')
  })

  it.each(['triton', 'toString'])("do not include '%s', and say which they do", (name) => {
    expect(() => createBackend(name)).toThrow(
      expect.objectContaining({
        code: 'BACKEND_UNAVAILABLE',
        message: `no backend '${name}' (known: onnx)`,
      }),
    )
  })
})
