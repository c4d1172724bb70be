/**
 * external_script stop (role main): before the address and the mount go, make the daemon let go of the policy file system.
 * external_pre_script stop (role pre): the very last; the daemon goes on as this member's own. HALT_SCRIPT stop (role
 * control): all of it. What a halt leaves to a process of its own is
 * role daemon. Fails only while something of the package is still held, also when settings are damaged.
 */
import { haltRole, haltWithoutSettings } from './roles.ts';
import { runScript } from './script.ts';

void runScript({ name: 'halt', run: haltRole, withoutSettings: haltWithoutSettings });
