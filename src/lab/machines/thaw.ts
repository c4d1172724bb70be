/** Thaws file systems when a machine is removed. */
import * as files from '../../host/lab/lab-files.ts';

/**
 * Commands that thaw the loop device mounts of a machine; `init`: its process 1. A real kernel takes its frozen state along, but all
 * machines here share this one. A frozen file system would stay frozen without a mount, and its writers could never exit.
 */
export function thawCommands(init: number): string[][] {
  return (files.readText(`/proc/${init}/mountinfo`) ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , numbers = '']) => numbers.startsWith('7:'))
    .map(([, , , , target]) => ['fsfreeze', '-u', `/proc/${init}/root${target}`]);
}
