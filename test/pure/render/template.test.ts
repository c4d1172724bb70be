import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillTemplate } from '../../../src/render/template.ts';
import { repository } from '../../support.ts';

const fill = (text: string, values: Record<string, string>, required?: string[]) =>
  fillTemplate({ file: 't.tpl', text }, values, required);

describe('templates', () => {
  it('leaves everything but tokens alone', () => {
    const text = "log $SGRUN/log/$SG_PACKAGE.log 100% $& $1 \\n {single} awk '{print $1}'\n";
    expect(fill(text, {})).toMatchObject({ ok: true, value: text });
  });

  it('puts values in as they are, once', () => {
    expect(fill('a {{x}} b {{ x }}', { x: '$& $1 "q" {{x}} %s' })).toMatchObject({
      ok: true,
      value: 'a $& $1 "q" {{x}} %s b $& $1 "q" {{x}} %s',
    });
  });

  it('reports unknown, malformed and unused tokens together, with line and column', () => {
    const result = fill('one\n  {{mount_pont}}\n{{}} {{Bad Name}} {{ ${a:-${b:-}}\n', { mount_point: '/csync', unused: 'x' });
    expect(result.ok).toBe(false);
    expect(result.problems.map((problem) => [problem.code, problem.place?.line, problem.place?.column])).toEqual([
      ['template-unknown-token', 2, 3],
      ['template-malformed', 3, 1],
      ['template-malformed', 3, 6],
      ['template-malformed', 3, 19],
      ['template-unused-token', undefined, undefined],
      ['template-unused-token', undefined, undefined],
    ]);
    expect(result.problems[0]?.remedy).toContain('{{mount_point}}');
  });

  it('knows no tokens by inheritance', () => {
    expect(fill('{{constructor}}', { x: 'y' }, []).ok).toBe(false);
  });

  it('never leaves a token and never alters a value', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.stringMatching(/^[^{}]*$/), fc.string())), (parts) => {
        const values = Object.fromEntries(parts.map(([, value], index) => [`t${index}`, value]));
        const text = parts.map(([before], index) => `${before}{{t${index}}}`).join('');
        const result = fill(text, values);
        expect(result).toMatchObject({ ok: true, value: parts.map(([before, value]) => before + value).join('') });
      }),
    );
  });

  it('package-templates/README.md lists exactly the tokens of the shipped templates', () => {
    const directory = join(repository, 'package-templates');
    const tokensIn = (text: string) => [...text.matchAll(/\{\{([a-z0-9_]+)\}\}/g)].map((match) => match[1] ?? '');
    const used = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.tpl'))
      .flatMap((name) => tokensIn(readFileSync(join(directory, name), 'utf8')));
    const listed = tokensIn(readFileSync(join(directory, 'README.md'), 'utf8')).filter((token) => token !== 'token');
    expect(listed.sort()).toEqual([...new Set(used)].sort());
  });
});
