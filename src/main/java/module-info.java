/**
 * Trains neural networks and compresses them with ADMM.
 *
 * <p>Ten types to begin with:
 * <ul>
 * <li>{@link io.pare.infer.CompressedModel} predicts from a small file;
 * <li>{@link io.pare.data.Corpus} is a data set in parts;
 * <li>{@link io.pare.run.TrainingJob} trains a network on it;
 * <li>{@link io.pare.run.CompressionJob} makes a network a small file, by recipe or to a size;
 * <li>{@link io.pare.net.NetBuilder} declares a network;
 * <li>{@link io.pare.format.NetworkFile} reads and writes networks in all formats;
 * <li>{@link io.pare.train.Network} is a network with memory, to train and evaluate;
 * <li>{@link io.pare.compress.recipe.Compression} compresses tensors of a program's own;
 * <li>{@link io.pare.kernel.Projections} has the projections alone;
 * <li>{@link io.pare.mem.Region} owns memory outside the heap.
 * </ul>
 *
 * <p>What is exported is the API; the page of each package says what to begin with in it. What is optional is required
 * {@code static}: the JVM has the SIMD kernels with {@code --add-modules jdk.incubator.vector}, recipes and checkpoints
 * need Jackson, pictures need {@code java.desktop}. The command line is part of the build of this module, but not of
 * its jar.
 */
module io.pare.engine {
    requires static com.fasterxml.jackson.annotation;
    requires static com.fasterxml.jackson.core;
    requires static com.fasterxml.jackson.databind;
    requires static com.fasterxml.jackson.dataformat.yaml;
    requires static info.picocli;
    requires static java.desktop;
    requires static java.management;
    requires static jdk.incubator.vector;
    requires static org.jspecify;

    exports io.pare;
    exports io.pare.compress;
    exports io.pare.compress.constraint;
    exports io.pare.compress.recipe;
    exports io.pare.compress.stage;
    exports io.pare.data;
    exports io.pare.descent;
    exports io.pare.exec;
    exports io.pare.exec.backend;
    exports io.pare.file;
    exports io.pare.format;
    exports io.pare.format.npy;
    exports io.pare.format.onnx;
    exports io.pare.format.pare;
    exports io.pare.format.pytorch;
    exports io.pare.format.safetensors;
    exports io.pare.format.tensors;
    exports io.pare.format.yaml;
    exports io.pare.infer;
    exports io.pare.kernel;
    exports io.pare.mem;
    exports io.pare.mpi;
    exports io.pare.natives;
    exports io.pare.net;
    exports io.pare.reconstruct;
    exports io.pare.rewrite;
    exports io.pare.run;
    exports io.pare.text;
    exports io.pare.train;

    // Jackson reads and writes the records of recipes, checkpoints and runs.
    opens io.pare.compress to com.fasterxml.jackson.databind;
    opens io.pare.compress.constraint to com.fasterxml.jackson.databind;
    opens io.pare.compress.recipe to com.fasterxml.jackson.databind;
    opens io.pare.compress.stage to com.fasterxml.jackson.databind;
    opens io.pare.data to com.fasterxml.jackson.databind;
    opens io.pare.descent to com.fasterxml.jackson.databind;
    opens io.pare.report to com.fasterxml.jackson.databind;
    opens io.pare.run to com.fasterxml.jackson.databind;
    opens io.pare.train to com.fasterxml.jackson.databind;
}
