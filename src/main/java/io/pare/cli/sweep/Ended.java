package io.pare.cli.sweep;

/**
 * How a run ended.
 *
 * @param exit code of its command; 0 if it is done
 * @param line the last one of its log
 */
public record Ended(int exit, String line) {}
