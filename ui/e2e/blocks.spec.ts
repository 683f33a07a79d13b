// The pages about the blocks of a bucket.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, open, test } from './fixtures.ts';
import { api, stackUrls } from './stack.ts';

interface Block {
  ulid: string;
  thanos: { labels: Record<string, string> };
}

const ulid = '01M88B6F8CWDFH904TTMNWSDF0';

test('a block is found, shown and marked', async ({ page }) => {
  const { blocks } = await api<{ blocks: Block[] }>(stackUrls().bucket, 'blocks');
  expect(blocks.map((block) => block.ulid)).toContain(ulid);
  await open(page, `${stackUrls().bucket}/blocks`);
  await page.getByRole('textbox', { name: /search|filter|id/i }).first().fill(ulid);
  await page.getByRole('button', { name: new RegExp(ulid) }).or(page.getByRole('row', { name: new RegExp(ulid) })).first().click();
  const details = page.getByRole('dialog');
  await expect(details).toContainText(ulid);
  await expect(details).toContainText('us1');
  await details.getByRole('button', { name: /mark.*(no compaction|not compact)|no.?compact/i }).click();
  const confirmation = page.getByRole('dialog').last();
  await confirmation.getByRole('textbox').first().fill('looked at by a test');
  await confirmation.getByRole('button', { name: /^(mark|confirm)/i }).click();
  const mark = join(stackUrls().folder, ulid, 'no-compact-mark.json');
  await expect.poll(() => existsSync(mark)).toBe(true);
  expect(readFileSync(mark, 'utf8')).toContain('looked at by a test');
  await expect(page.getByText(/marked/i).first()).toBeVisible();
});

test('blocks at the store gateway are shown', async ({ page }) => {
  await open(page, `${stackUrls().store}/loaded`);
  await expect(page.getByText(/6 blocks/).first()).toBeVisible();
});
