import { describe, expect, test } from 'vitest';
import { configurationFrom, unsetKeys } from '../../lib/config.ts';

const given = (values: Record<string, unknown>) => (key: string) => values[key];

describe('configuration', () => {
  test('is that of dev unless the context says otherwise', () => {
    const config = configurationFrom(given({}));

    expect(config.env).toBe('dev');
    expect(config.senderAddress).toBe('no-reply@firstcall.example');
    expect(config.formOrigins).toContain('http://localhost:4000');
    expect(config.keepData).toBe(false);
  });

  test('takes single values from the context, as text like from the command line', () => {
    const config = configurationFrom(
      given({
        env: 'prod',
        senderAddress: 'desk@practice.example',
        formOrigins: 'https://a.example, https://b.example:8443',
        consoleUrl: 'https://console.practice.example/',
        logRetentionDays: '90',
        keepData: 'false',
      }),
    );

    expect(config).toMatchObject({
      env: 'prod',
      senderAddress: 'desk@practice.example',
      formOrigins: ['https://a.example', 'https://b.example:8443'],
      consoleUrl: 'https://console.practice.example',
      logRetentionDays: 90,
      keepData: false,
    });
  });

  test('names an environment that does not exist', () => {
    expect(() => configurationFrom(given({ env: 'staging' }))).toThrow(
      'There is no environment "staging": use -c env=dev or -c env=prod.',
    );
  });

  test.each([
    ['senderAddress', 'nobody', 'senderAddress'],
    ['formOrigins', 'https://practice.example/contact', 'an origin is https://host, without a path'],
    ['formOrigins', 'http://practice.example', 'http only for localhost'],
    ['formOrigins', '*', 'an origin is https://host'],
    ['logRetentionDays', '31', 'one of 7, 14, 30'],
    ['accessTokenMinutes', '5', 'accessTokenMinutes'],
    ['keepData', 'perhaps', 'keepData'],
    ['consoleUrl', 'console', 'consoleUrl'],
  ])('names a wrong %s (%s) and how to set it', (key, value, message) => {
    const attempt = () => configurationFrom(given({ [key]: value }));

    expect(attempt).toThrow(message);
    expect(attempt).toThrow(`-c ${key}=`);
  });

  test('knows which values a practice has yet to give', () => {
    expect(unsetKeys(configurationFrom(given({ env: 'prod' })))).toEqual([
      'senderAddress',
      'formOrigins',
      'consoleUrl',
      'publicUrl',
    ]);
    expect(
      unsetKeys(configurationFrom(given({ env: 'prod', senderAddress: 'desk@practice.example' }))),
    ).toEqual(['formOrigins', 'consoleUrl', 'publicUrl']);
  });
});
