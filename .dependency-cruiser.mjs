/** Which room may import from which: one way only. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(bin|lib|functions|shared|local|ops|simulation|bench|test|web)/', pathNot: allowed },
});

export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(vitest|aws-lambda)' },
    },
    only('domain', '^shared/domain/', '^shared/domain/', 'The domain knows no other room.'),
    {
      name: 'domain-is-pure',
      comment: 'No AWS, no Lambda, no clock or randomness from a library in the domain.',
      severity: 'error',
      from: { path: '^shared/domain/' },
      to: { path: 'node_modules/(@aws|@middy|ulid|nodemailer)' },
    },
    only('data', '^shared/data/', '^shared/(data|domain)/', 'The table knows the domain.'),
    only('queues', '^shared/queues/', '^shared/(queues|domain)/', 'Messages know ids.'),
    only('secrets', '^shared/secrets/', '^shared/secrets/', 'Secrets and digests know nobody.'),
    only('http', '^shared/http/', '^shared/(http|domain)/', 'HTTP knows no storage.'),
    only('runtime', '^shared/runtime/', '^shared/(runtime|data|domain)/', 'The runtime opens the table.'),
    {
      name: 'functions-stand-alone',
      comment: 'A function imports what is shared and its own folder, never another function.',
      severity: 'error',
      from: { path: '^functions/([^/]+)/' },
      to: { path: '^(bin|lib|functions|local|ops|simulation|bench|test)/', pathNot: '^functions/$1/' },
    },
    only('stacks', '^(lib|bin)/', '^(lib/|shared/http/routes\\.ts$)', 'Stacks know the list of routes.'),
    only('local', '^local/', '^local/', 'local/ reads the synthesized stacks, never their source.'),
    only('ops', '^ops/', '^(ops|shared)/', 'Operators use what the functions use.'),
    only(
      'simulation',
      '^simulation/',
      '^(simulation|functions|shared|local|ops)/',
      'A simulation runs the functions themselves.',
    ),
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'cdk\\.out|\\.firstcall' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      conditionNames: ['import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
