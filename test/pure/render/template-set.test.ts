import { describe, expect, it } from 'vitest';
import {
  type ExportStep,
  exportStep,
  type TemplateState,
  templateDifference,
  templateState,
} from '../../../src/render/template-set.ts';

const none = { takeMine: false, takeShipped: false };

describe('an administrator’s copy of a template', () => {
  it.each<[string, string | null, string | null, TemplateState, ExportStep['do'], ExportStep['do'], ExportStep['do']]>([
    // own, as shipped at the export; then: state, export, export --take-mine, export --take-shipped. Shipped now: "new".
    ['none', null, null, 'shipped', 'copy', 'copy', 'copy'],
    ['removed since', null, 'old', 'shipped', 'copy', 'copy', 'copy'],
    ['untouched, nothing new', 'new', 'new', 'same', 'keep', 'keep', 'keep'],
    ['untouched, something new', 'old', 'old', 'outdated', 'update', 'update', 'update'],
    ['edited, nothing new', 'mine', 'new', 'edited', 'keep', 'keep', 'update'],
    ['edited, something new', 'mine', 'old', 'edited, outdated', 'refuse', 'keep', 'update'],
    ['edited into what is new', 'new', 'old', 'same', 'keep', 'keep', 'keep'],
    ['made by hand, not by an export', 'mine', null, 'edited', 'keep', 'keep', 'update'],
  ])('%s', (_, own, pristine, state, plain, takeMine, takeShipped) => {
    const texts = { shipped: 'new', own, pristine };
    expect(templateState(texts)).toBe(state);
    const done = (choice: typeof none) => exportStep('t', texts, choice).do;
    expect([done(none), done({ ...none, takeMine: true }), done({ ...none, takeShipped: true })]).toEqual([
      plain,
      takeMine,
      takeShipped,
    ]);
  });

  it('is distinguished from what changed in the shipped one', () => {
    const pristine = 'a\nb\nc\n';
    const { edits, upstream } = templateDifference('t', { pristine, own: 'a\nmine\nc\n', shipped: 'a\nb\nc\nnews\n' });
    expect(edits).toMatch(/^-b\n\+mine$/m);
    expect(edits).not.toContain('news');
    expect(upstream).toMatch(/^\+news$/m);
    expect(upstream).not.toContain('mine');
  });

  it('that no user edited differs in nothing', () => {
    expect(templateDifference('t', { pristine: 'a\n', own: 'a\n', shipped: 'a\n' })).toEqual({
      name: 't',
      state: 'same',
      edits: '',
      upstream: '',
    });
  });
});
