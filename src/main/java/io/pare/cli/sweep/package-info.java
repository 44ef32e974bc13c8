/**
 * Sweeps: many runs of a command in processes and folders of their own, and what they came to in one table.
 *
 * <p>{@link io.pare.cli.sweep.SweepFile} reads what is to run, {@link io.pare.cli.sweep.SweepFolder} keeps what has
 * run, and the table. {@link io.pare.cli.sweep.SlurmScript} and {@link io.pare.cli.sweep.KubernetesJob} leave the running to a scheduler. Nothing
 * here knows the options of commands or starts a process: the command {@code sweep} does.
 *
 * <p>Internal: may change at any time. It serves the command line.
 *
 * <p>May use {@code report}, {@code format.yaml} and {@code file}.
 */
package io.pare.cli.sweep;
