import * as files from '../../host/lab/lab-files.ts';

/**
 * For the loop device mounts of a machine; `init`: its process 1. All machines share one kernel: a frozen file system would stay frozen
 * without a mount, and its writers could never exit.
 */
export function thawCommands(init: number): string[][] {
  return (files.readText(`/proc/${init}/mountinfo`) ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , numbers = '']) => numbers.startsWith('7:'))
    .map(([, , , , target]) => ['fsfreeze', '-u', `/proc/${init}/root${target}`]);
}
