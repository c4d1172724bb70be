/**
 * external_pre_script start (role pre): before Serviceguard touches storage. external_script start (role main): storage
 * and address are here; make sure of the daemon and prove that it is the master. RUN_SCRIPT start (role control): all of it.
 */
import { startRole, startWithoutSettings } from './roles.ts';
import { runScript } from './script.ts';

void runScript({ name: 'start', run: startRole, withoutSettings: startWithoutSettings });
