/** A person at a page in Chromium who has no mouse. */
import type { Page } from 'playwright-core'

/** What the keyboard is on: the label of a field, the text of anything else. */
export const focused = (page: Page): Promise<string> =>
  page.evaluate('(({ labels, textContent }) => labels?.[0]?.textContent ?? textContent)(document.activeElement).trim()')

/** As a person does it: on with the tabulator until it is there. */
export async function tabTo(page: Page, text: string): Promise<void> {
  const passed: string[] = []
  for (let pressed = 0; pressed < 40; pressed++) {
    await page.keyboard.press('Tab')
    passed.push(await focused(page))
    if (passed.at(-1)?.startsWith(text)) return
  }
  throw new Error(`no way by keyboard to ${text}; passed ${passed.join(' | ')}`)
}

export async function press(page: Page, text: string, arrives: (url: URL) => boolean): Promise<void> {
  await tabTo(page, text)
  await Promise.all([page.waitForURL(arrives), page.keyboard.press('Enter')])
}

export async function type(page: Page, field: string, text: string): Promise<void> {
  await tabTo(page, field)
  await page.keyboard.type(text)
}
