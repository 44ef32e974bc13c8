/**
 * Reports for people and programs: JSON files, HTML pages and charts without external requests.
 *
 * <p>{@link io.pare.report.EventFile} is what TensorBoard reads.
 *
 * <p>{@link io.pare.report.JsonReport} keeps fields in order, {@link io.pare.report.HtmlPage} escapes all text, and
 * {@link io.pare.report.Printable} replaces control characters before names reach a terminal.
 *
 * <p>Internal: may change at any time. It serves the command line.
 *
 * <p>May use {@code format.protobuf} and {@code file}.
 */
package io.pare.report;
