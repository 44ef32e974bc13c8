package io.pare.train;

import io.pare.data.Augmentation;
import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.exec.Tape;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Trained networks from whose answers another one learns: one, or several that answer by the mean of their logits. They may
 * be of any architecture that takes the same inputs and tells the same classes apart.
 *
 * <p>They see each training image as it is, or as the student sees it. What it looks like then is new in each epoch, or one of
 * so many copies: their answers to these are kept, and trainings that vary images alike share them.
 *
 * <p>The networks are the caller's and outlive this; no training runs on them meanwhile. {@link #close} frees the answers.
 * One thread at a time.
 */
public final class Teachers implements AutoCloseable {
    /** In place of a number of copies: images as they are. */
    public static final int AS_THEY_ARE = -1;
    /** In place of a number of copies: images as the student sees them, asked about in each step. */
    public static final int ANEW = 0;
    /** Images that a network sees at once, at most: what it computes of more does not stay in a core's caches. */
    private static final int ASKED = 32;

    private final List<Network> networks;
    private final int copies;
    private final Map<Copy, FloatTensor> answers = new HashMap<>();
    private Region region;

    /** What answers depend on besides the networks. */
    private record Copy(Dataset data, InputScale scale, Augmentation augmentation, long seed, int number) {}

    /**
     * Asks nothing yet.
     *
     * @param networks at least one
     * @param copies of each image that students see, from 1; or {@link #AS_THEY_ARE} or {@link #ANEW}
     * @throws IllegalArgumentException if there is no network, or there are fewer copies
     */
    public Teachers(List<Network> networks, int copies) {
        this.networks = List.copyOf(networks);
        this.copies = copies;
        if (networks.isEmpty() || copies < AS_THEY_ARE) {
            throw new IllegalArgumentException(
                    networks.size() + " networks cannot teach by " + copies + " copies of an image");
        }
    }

    /**
     * {@return one network that sees images as they are; it holds no memory and need not be closed}
     *
     * @param network that is trained
     */
    public static Teachers of(Network network) {
        return new Teachers(List.of(network), AS_THEY_ARE);
    }

    /** {@return the networks} */
    public List<Network> networks() {
        return networks;
    }

    /** {@return copies of each image, or {@link #AS_THEY_ARE} or {@link #ANEW}} */
    public int copies() {
        return copies;
    }

    /**
     * Refuses networks that do not fit a student.
     *
     * @throws IllegalArgumentException naming both
     */
    void checkFit(Network student) {
        for (Network network : networks) {
            if (!network.model().input().equals(student.model().input())
                    || network.model().classes() != student.model().classes()) {
                throw new IllegalArgumentException(network.model().name() + ", of inputs " + network.model().input()
                        + " and " + network.model().classes() + " classes, cannot teach " + student.model().name()
                        + ", of inputs " + student.model().input() + " and " + student.model().classes()
                        + ": give a teacher of the same");
            }
        }
    }

    /** Answers to all images as they are, in memory of {@code owner}. */
    FloatTensor plain(Region owner, Dataset data, InputScale scale) {
        FloatTensor answers = owner.tensor(data.size(), classes());
        answers.fill(0f);
        for (Network network : networks) {
            int size = Evaluation.batch(network, data);
            try (Batches batches = Batches.inOrder(data, size, scale)) {
                ask(network, Precision.FP32, size, batches, answers);
            }
        }
        return answers;
    }

    /**
     * Answers to all images as students see them in an epoch; kept until {@link #close}. In bf16 where the machine computes
     * so, since there are many of them: the temperature is coarser than these numbers.
     */
    FloatTensor kept(Dataset data, InputScale scale, Augmentation augmentation, long seed, int epoch) {
        return answers.computeIfAbsent(new Copy(data, scale, augmentation, seed, epoch % copies), copy -> {
            if (region == null) {
                region = Region.shared("answers of teachers");
            }
            FloatTensor found = region.tensor(data.size(), classes());
            found.fill(0f);
            for (Network network : networks) {
                int size = Math.min(ASKED, Evaluation.batch(network, data));
                try (Batches batches = Batches.inOrder(data, size, scale, augmentation, seed)) {
                    batches.seek(copy.number(), 0);
                    ask(network, network.fastest(), size, batches, found);
                }
            }
            return found;
        });
    }

    private void ask(Network network, Precision precision, int size, Batches batches, FloatTensor into) {
        Tape tape = network.inferenceTape(size, false, precision);
        int count;
        while ((count = batches.next(tape.input(Network.IMAGES), tape.labels())) > 0) {
            tape.forward(0);
            for (int row = 0; row < count; row++) {
                add(tape.output(), row, into, batches.index(row));
            }
        }
    }

    /** Writes answers to images that a student has before it. */
    void answer(FloatTensor images, FloatTensor into) {
        int batch = Math.toIntExact(into.size(0));
        into.fill(0f);
        for (Network network : networks) {
            Tape tape = network.inferenceTape(batch);
            tape.input(Network.IMAGES).copyFrom(images);
            tape.forward(0);
            for (int row = 0; row < batch; row++) {
                add(tape.output(), row, into, row);
            }
        }
    }

    private void add(FloatTensor logits, long row, FloatTensor into, long place) {
        FloatTensor from = logits.rows(row, row + 1);
        FloatTensor to = into.rows(place, place + 1);
        Kernels.active().axpy(1f / networks.size(), from.segment(), 0, to.segment(), 0, to.count());
    }

    private int classes() {
        return networks.getFirst().model().classes();
    }

    /** Frees the answers that are kept; the networks stay. */
    @Override
    public void close() {
        answers.clear();
        if (region != null) {
            region.close();
            region = null;
        }
    }
}
