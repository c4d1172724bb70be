/** The end of a machine whose file systems may be frozen. */
import * as files from '../../host/lab/lab-files.ts';

/**
 * Commands that thaw what a machine has mounted of loop devices; `init`: its process 1. A kernel that ends has nothing frozen, but all
 * machines here have the kernel of this one: a frozen file system would stay so without a mount, and keep who writes there from ending.
 */
export function thawCommands(init: number): string[][] {
  return (files.readText(`/proc/${init}/mountinfo`) ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , numbers = '']) => numbers.startsWith('7:'))
    .map(([, , , , target]) => ['fsfreeze', '-u', `/proc/${init}/root${target}`]);
}
