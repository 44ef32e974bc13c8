package io.pare.kernel;

import io.pare.kernel.passes.CodebookPasses;
import io.pare.kernel.passes.GroupPasses;
import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import io.pare.kernel.passes.TopKPasses;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Passes for tests: those of every provider, and those that change between two providers at random. */
final class MixedPasses {
    private MixedPasses() {}

    /** Those in plain Java, those in use without a warm-up, and both mixed at random. */
    static Stream<Passes> all() {
        return Stream.of(KernelProvider.scalarPasses(), KernelProvider.loops(), mixed(7));
    }

    /** A warm-up in which a die decides, for each slice and later for each chunk, which of the two does it. */
    static Passes mixed(long seed) {
        Passes one = KernelProvider.loops();
        Passes other = KernelProvider.scalarPasses();
        SplittableRandom dice = new SplittableRandom(seed);
        Passes mixed = new Passes(mix(SelectPasses.class, one.select(), other.select(), dice),
                mix(TopKPasses.class, one.topK(), other.topK(), dice),
                mix(GroupPasses.class, one.groups(), other.groups(), dice),
                mix(CodebookPasses.class, one.codebooks(), other.codebooks(), dice));
        return KernelProvider.warmingUp(mixed, mixed);
    }

    private static <T> T mix(Class<T> type, T one, T other, SplittableRandom dice) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (_, method, arguments) -> {
            boolean first;
            synchronized (dice) {
                first = dice.nextBoolean();
            }
            try {
                return method.invoke(first ? one : other, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
