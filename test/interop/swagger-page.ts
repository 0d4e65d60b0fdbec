import type { BrowserPage } from './browser.ts'

/** What the page shows of an answer. */
export interface ShownAnswer {
  readonly status: number
  readonly body: string
  /** The page says that the document does not name the status. */
  readonly isUndocumented: boolean
}

/** How a call is filled in, where it does not stay as the page fills it in. */
export interface Filled {
  readonly mediaType?: string
  /** To upload. */
  readonly file?: string
}

/** Swagger UI in a browser. */
export interface SwaggerPage {
  /** Calls that are shown. */
  count(): Promise<number>
  /** Opens a call, carries it out, tells what the page shows of the answer, and closes it. */
  tryOut(operationId: string, filled?: Filled): Promise<ShownAnswer>
  /** Presses "Authorize" and gives a token, in place of one that was given before. */
  authorize(token: string): Promise<void>
}

/** Settles when an expression is true, as soon as the page changes so. */
const until = `const until = (look) => new Promise((resolve) => {
  const observer = new MutationObserver(() => check())
  const check = () => {
    const found = look()
    if (!found) return
    observer.disconnect()
    resolve(found)
  }
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
  check()
})
const find = (selector) => until(() => document.querySelector(selector))`

/** Opens it. @param origin of an agent */
export async function openSwagger(page: BrowserPage, origin: string): Promise<SwaggerPage> {
  await page.open(`${origin}/docs`)
  const run = <T>(steps: string) => page.evaluate<T>(`(async () => { ${until};\n${steps} })()`)
  await run(`await find('.opblock')`)
  return {
    count: () => page.evaluate(`document.querySelectorAll('.opblock').length`),
    async tryOut(id, { mediaType, file } = {}) {
      const call = `[id$="-${id}"]`
      const part = (selector: string) => `document.querySelector('${call} ${selector}')`
      // References are resolved late; what is pressed before is lost.
      await run(`if (!${part('.execute')}) (await find('${call} .opblock-summary-control')).click()
        await find('${call} [data-code="default"] .renderedMarkdown')
        ${part('.btn-clear')}?.click()
        await until(() => !${part('.live-responses-table')})`)
      if (mediaType !== undefined) await run(choosing(part('select.content-type'), mediaType))
      if (file !== undefined) await chooseFile(part, file)
      return run(`(await find('${call} .execute')).click()
        const answer = await find('${call} .live-responses-table .response')
        const shown = {
          status: Number(answer.querySelector('.response-col_status').firstChild.textContent),
          body: answer.querySelector('.response-col_description').textContent,
          isUndocumented: Boolean(answer.querySelector('.response-undocumented')),
        }
        ${part('.opblock-summary-control')}.click()
        return shown`)
    },
    async authorize(token) {
      await run(`document.querySelector('.btn.authorize').click()
        await find('.auth-container')
        const logout = [...document.querySelectorAll('.auth-btn-wrapper button')].find((one) => one.textContent === 'Logout')
        logout?.click();
        (await find('.auth-container input')).focus()`)
      await page.type(token)
      await run(`document.querySelector('.modal-btn.authorize').click();
        (await find('.auth-btn-wrapper .btn-done')).click()
        await until(() => !document.querySelector('.dialog-ux'))`)
    },
  }

  async function chooseFile(part: (selector: string) => string, file: string): Promise<void> {
    const input = part('input[type=file]')
    // A form takes as many files as one likes, and begins with none.
    await run(`const add = await until(() => ${input} ?? ${part('.json-schema-form-item-add')})
      if (add.matches('.json-schema-form-item-add')) add.click()
      await until(() => ${input})`)
    await page.chooseFiles(input, [file])
  }
}

/** There is nothing to choose where there is one. */
const choosing = (select: string, value: string) => `const select = ${select}
  if (!select) return
  select.value = '${value}'
  select.dispatchEvent(new Event('change', { bubbles: true }))`
