/** The text format of Prometheus 0.0.4. Pure. */

export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Without the common labels; no samples: unknown. */
  readonly samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

export const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({ name, type: 'gauge', help, samples });

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** `common`: labels of every sample. */
export function expositionOf(metrics: readonly Metric[], common: Readonly<Record<string, string>>): string {
  const lines = metrics.flatMap(({ name, type, help, samples }) =>
    samples.length === 0
      ? []
      : [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} ${type}`,
          ...samples.map(([labels, value]) => {
            const all = Object.entries({ ...common, ...labels }).map(([label, text]) => `${label}="${escaped(text)}"`);
            return `${name}{${all.join(',')}} ${value}`;
          }),
        ],
  );
  return `${lines.join('\n')}\n`;
}
