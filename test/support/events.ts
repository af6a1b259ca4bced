export { type EventOptions, proxyEvent } from '../../simulation/events.ts';
