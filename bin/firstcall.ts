import { App } from 'aws-cdk-lib';
import { configurationFrom } from '../lib/config.ts';
import { addFirstcall } from '../lib/firstcall.ts';
import { addRulePacks } from '../lib/rule-packs.ts';

const app = new App();
const context = (key: string): unknown => app.node.tryGetContext(key);

addFirstcall(app, configurationFrom(context));

// `-c nag=off` is for the local runner, which synthesizes on every change of a source.
if (context('nag') !== 'off') addRulePacks(app);
