/**
 * The command line: options, their checks, and the text of results, warnings and failures.
 *
 * <p>One class a command, all named by {@link io.pare.cli.Commands}, which also defines the exit codes. Options that
 * several commands share are picocli mixins. Results go to stdout, everything else to stderr.
 *
 * <p>Internal but for {@link io.pare.cli.Commands#run(String...)}: a program that embeds Pare calls the packages below.
 *
 * <p>May use {@code cli.sweep}, {@code run}, {@code report}, {@code compress}, {@code compress.constraint},
 * {@code compress.stage}, {@code compress.recipe}, {@code infer}, {@code train}, {@code rewrite}, {@code format},
 * {@code format.pare}, {@code format.onnx}, {@code format.npy}, {@code text}, {@code descent}, {@code net},
 * {@code data}, {@code exec.backend}, {@code dnnl}, {@code blas}, {@code natives}, {@code kernel}, {@code mpi}, {@code mem} and
 * {@code file}.
 */
package io.pare.cli;
