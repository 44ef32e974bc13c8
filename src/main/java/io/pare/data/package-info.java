/**
 * Data sets and the input pipeline: files in, batches of scaled floats out.
 *
 * <p>A {@link io.pare.data.Corpus} holds the parts of a data set and its {@link io.pare.net.InputScale};
 * a {@link io.pare.data.Dataset} is one part. {@link io.pare.data.Mnist}, {@link io.pare.data.Emnist},
 * {@link io.pare.data.Cifar}, {@link io.pare.data.ImageFolder} and {@link io.pare.data.ArrayFiles} open them.
 * {@link io.pare.data.Batches} orders, augments and scales samples; seed, epoch and index alone decide how, whatever the
 * number of loading threads.
 *
 * <p>Public. Begin with {@link io.pare.data.Corpus}. Files are untrusted: a malformed one is refused with
 * {@link io.pare.data.DataException}, and one that declares more than the heap holds is refused before memory is
 * allocated.
 *
 * <p>May use {@code net}, {@code format.npy}, {@code format.tensors}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.data;

import org.jspecify.annotations.NullMarked;
